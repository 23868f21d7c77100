"""A process that posts the same request many times at once: a line of JSON in, a line of JSON out.

In: {"port", "path", "headers", "body", "times"}. Out: [[status, body], …]; a lost connection is [0, reason].
"""

import http.client
import json
import sys
import threading


class Poster(threading.Thread):
    """One connection that stays open."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.connection: http.client.HTTPConnection | None = None
        self.begin, self.end = threading.Semaphore(0), threading.Semaphore(0)
        self.order: dict = {}
        self.result: list = []

    def run(self) -> None:
        while True:
            self.begin.acquire()
            self.result = self.post()
            self.end.release()

    def post(self) -> list:
        order = self.order
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", order["port"], timeout=30)
            self.connection.request("POST", order["path"], order["body"], order["headers"])
            response = self.connection.getresponse()
            return [response.status, response.read().decode()]
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            return [0, repr(error)]


def main() -> None:
    posters: list[Poster] = []
    for line in sys.stdin:
        order = json.loads(line)
        while len(posters) < order["times"]:
            posters.append(Poster())
            posters[-1].start()
        used = posters[: order["times"]]
        for poster in used:
            poster.order = order
        for poster in used:
            poster.begin.release()
        for poster in used:
            poster.end.acquire()
        print(json.dumps([poster.result for poster in used]), flush=True)


if __name__ == "__main__":
    main()
