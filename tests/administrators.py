"""Administrators in tests: signed in to the console as a browser does it."""

from tests.factories import Person
from tests.http_client import Answer, Http
from tests.pages import follow, read


def sign_in_to_console(http: Http, person: Person, path: str = "/admin") -> Answer:
    """Open a page of the console and sign in on the way; return the page."""
    answer = follow(http, http.get(path))
    page = read(answer)
    if page.asks_for_password:
        form = page.form("password")
        answer = follow(http, form.submit(http, email=person.email, password=person.password))
    return answer
