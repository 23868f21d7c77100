"""`authserver keys`: what signs tokens; they rotate by themselves."""

import click

from authserver.admin import keys as admin
from authserver.cli.options import as_json
from authserver.cli.output import say, show, show_all
from authserver.cli.place import operation
from authserver.crypto.jose import ALGORITHMS
from authserver.crypto.key_ring import REFRESH
from authserver.runtime import Runtime
from authserver.runtime.aws import Aws
from authserver.runtime.keys import make_data_key
from authserver.runtime.settings import environ


@click.group()
def keys() -> None:
    """Keys that sign tokens; they rotate by themselves."""


@keys.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List all keys: announced, signing, retired (still verifying) and removed ones.

    The keys of algorithm `refresh` authenticate refresh tokens and are never published.

    \b
    Example:  authserver keys list
    """
    with operation() as work:
        documents = admin.key_documents(work)
    show_all(documents, ("kid", "alg", "state", "created_at", "signs_from", "removed_at"), as_json)


@keys.command()
@click.option("--alg", "algs", multiple=True, type=click.Choice([*ALGORITHMS, REFRESH]), help="Only this algorithm. Can be repeated.")
@click.option("--announce", is_flag=True, help="Publish the new key first and let it sign after the announcement, as usual.")
@click.option("--revoke", is_flag=True, help="Drop the keys before: nothing that they signed is good any more.")
@as_json
def rotate(algs: tuple[str, ...], announce: bool, revoke: bool, as_json: bool) -> None:
    """Let new keys sign at once, in an emergency. All processes follow within a minute.

    Without --revoke the keys before stay published until their last token has expired. With it, tokens that they
    signed fail: access and ID tokens wherever the keys are fetched again, and all refresh tokens.

    \b
    Examples:
      authserver keys rotate --announce
      authserver keys rotate --revoke --alg RS256
    """
    if announce and revoke:
        raise click.UsageError("--revoke drops the key that signs, so that the new one cannot wait: leave --announce out")
    with operation() as work:
        rotated = admin.rotate(work, algs, announce=announce, revoke=revoke)
        documents = [document for document in admin.key_documents(work) if document["alg"] in rotated]
    show_all(documents, ("kid", "alg", "state", "signs_from", "removed_at"), as_json)
    if not as_json and not announce:
        say("All processes sign with the new keys within a minute; verifiers that cache keys for longer need a nudge.")


@keys.command()
@as_json
def reseal(as_json: bool) -> None:
    """Seal all keys in the database under the first key of AUTHSERVER_SECRET_KEY.

    To change that key: put the new one first and keep the old one behind it, restart all processes, run this,
    then leave the old one out. On AWS Lambda the function does it: authserver.jobs.reseal_keys.

    \b
    Example:  AUTHSERVER_SECRET_KEY="NEW OLD" authserver keys reseal
    """
    with operation() as work:
        show({"resealed": admin.reseal(work)}, as_json)


@keys.command("data-key")
@click.option("--kms-key", required=True, metavar="KEY", help="The KMS key that seals it: its ARN, id or alias/NAME.")
@as_json
def data_key(kms_key: str, as_json: bool) -> None:
    """Make an item for AUTHSERVER_SECRET_KEY that only AWS KMS can open.

    The server opens it by KMS when it first needs it, once per process; its role needs kms:Decrypt on that key. This
    command needs kms:GenerateDataKey, finds AWS by AWS_REGION and AWS_ACCESS_KEY_ID as usual, and keeps nothing.

    \b
    Example:  authserver keys data-key --kms-key alias/authserver
    """
    item = make_data_key(Aws(environ(), Runtime.now), kms_key)
    if as_json:
        show({"secret_key": item}, as_json)
    else:
        click.echo(item)
