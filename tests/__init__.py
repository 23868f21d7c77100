"""Tests mirror authserver/ path for path; they drive HTTP as a relying party or a browser would."""
