"""The compliance table is what the tests say."""

from tests import compliance


def test_the_compliance_table_is_up_to_date():
    assert compliance.TABLE.read_text() == compliance.render(), "run: make docs"


def test_every_spec_marker_names_a_known_kind_of_document():
    documents = {document for document, _ in compliance.proofs()}
    kinds = ("RFC ", "OpenID ", "OAuth 2.0 ", "NIST SP ", "draft-", "ASVS ", "WCAG ")
    unknown = {name for name in documents if not name.startswith(kinds)}
    assert not unknown
