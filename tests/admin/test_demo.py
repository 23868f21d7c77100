"""What `authserver dev` makes: once, and kept."""

from authserver.admin.clients import get_client
from authserver.admin.demo import API, EMAIL, ensure_demo
from authserver.admin.users import get_user
from tests.factories import ISSUER, Made, make_settings, make_test_runtime
from tests.relying_party import RelyingParty


def test_the_demo_works(act, http, clock):
    demo = act(ensure_demo)
    service = RelyingParty(http.fresh(), Made(act(get_client, "demo-service"), demo.service_secret), clock=clock)
    assert service.client_credentials().json["scope"] == "notes:read notes:write"

    class Alice:
        email, password = EMAIL, demo.password

    web = RelyingParty(http.fresh(), Made(act(get_client, "demo-web"), demo.web_secret), clock=clock)
    assert "refresh_token" in web.sign_in(Alice, scope="openid offline_access notes:read", resource=API)
    spa = act(get_client, "demo-spa")
    assert (spa.is_public, spa.apis, spa.metadata["redirect_uris"]) == (True, (API,), [f"{ISSUER}/demo"])


def test_a_second_start_keeps_everything(act):
    assert act(ensure_demo) is not None
    user = act(get_user, EMAIL)
    assert act(ensure_demo) is None
    assert act(get_user, EMAIL) == user


def test_the_demo_page_follows_the_port(act, settings, clock):
    from authserver.admin.operation import Operation
    from authserver.store.base import transaction

    act(ensure_demo)
    moved = make_test_runtime(make_settings(database_url=settings.database_url, issuer="http://localhost:9001"), clock)
    with transaction(moved.engine) as db:
        assert ensure_demo(Operation(db, moved)) is None
    moved.engine.dispose()
    metadata = act(get_client, "demo-spa").metadata
    assert metadata["redirect_uris"] == metadata["post_logout_redirect_uris"] == ["http://localhost:9001/demo"]


def test_a_demo_page_that_a_file_has_taken_over_is_left_to_it(act, files, settings, clock):
    from authserver.admin.operation import Operation
    from authserver.store.base import transaction

    act(ensure_demo)
    files.apply(files.export())
    moved = make_test_runtime(make_settings(database_url=settings.database_url, issuer="http://localhost:9001"), clock)
    with transaction(moved.engine) as db:
        assert ensure_demo(Operation(db, moved)) is None
    moved.engine.dispose()
    assert act(get_client, "demo-spa").metadata["redirect_uris"] == [f"{ISSUER}/demo"]
