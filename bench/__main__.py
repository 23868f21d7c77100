"""`python -m bench`: start the servers, measure them in turns, write the results and show them."""

import argparse
import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench import node_peer, ours
from bench.contestant import Contestant, memory
from bench.cost import machine, startup
from bench.load import Load, Sent
from bench.operations import OPERATIONS
from bench.report import Document, compare, lines, summarize, targets
from bench.trial import Trial

STARTS = 9


def main() -> None:
    """Measure what the arguments say."""
    arguments = read_arguments()
    with ExitStack() as undo:
        contestants, peer = start(arguments, undo)
        measured = measure(contestants, arguments, undo)
    compare(measured, peer)
    document: Document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "requests": arguments.requests,
        "rounds": arguments.rounds,
        "connections": arguments.connections,
        "folder": str(arguments.folder),
        "peer": peer,
        "measured": measured,
        "startup": startup(STARTS) if arguments.startup else {},
    }
    document["targets"] = targets(document)
    output = arguments.output or Path(__file__).parent / "results" / f"{document['at'].replace(':', '')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print("\n".join(lines(document)))
    print(f"written to {output}")


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS, default=list(OPERATIONS), metavar="NAME", help=" ".join(OPERATIONS))
    parser.add_argument("--databases", nargs="+", choices=ours.TITLES, default=list(ours.TITLES))
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=True, help="compare with oidc-provider where Node is")
    parser.add_argument("--startup", action=argparse.BooleanOptionalAction, default=True, help="measure cold starts")
    parser.add_argument("--requests", type=int, default=150, help="of each operation in each round")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=memory(), help="where SQLite's file is; default: in memory")
    parser.add_argument("--output", type=Path, help="the file of the results; default: a new one in bench/results")
    return parser.parse_args()


def start(arguments: argparse.Namespace, undo: ExitStack) -> tuple[list[Contestant], str | None]:
    """Start the servers; return them, and the name of the peer if there is one."""
    contestants = []
    for kind in arguments.databases:
        contestants.append(ours.start(kind, arguments.folder))
        undo.callback(contestants[-1].stop)
    if not arguments.peer:
        return contestants, None
    try:
        peer = node_peer.start(arguments.folder)
    except node_peer.NoNode as missing:
        print(f"{missing}: nothing to compare with")
        return contestants, None
    undo.callback(peer.stop)
    return [*contestants, peer], peer.name


def measure(contestants: list[Contestant], arguments: argparse.Namespace, undo: ExitStack) -> list[Document]:
    """Let the servers take turns at each operation, in rounds; the first round warms them up and does not count."""
    load = Load()
    undo.callback(load.stop)
    trials = [Trial(contestant, load, arguments.connections) for contestant in contestants]
    rounds: dict[tuple[str, str], list[Sent]] = {(name, one.name): [] for name in arguments.operations for one in contestants}
    for trial in trials:
        trial.check()
    for number in range(arguments.rounds + 1):
        for trial in trials:
            trial.renew_user_token()
        for name in arguments.operations:
            for trial in trials:
                sent = OPERATIONS[name].run(trial, arguments.requests)
                if number:
                    rounds[name, trial.contestant.name].append(sent)
    return [summarize(name, server, sent) for (name, server), sent in rounds.items()]


if __name__ == "__main__":
    main()
