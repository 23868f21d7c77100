// A Lambda runtime of one process: `node lambda.cjs FILE` takes a line of JSON, {"name", "event"}, calls the exported
// handler of that name, with a callback for those that want one, and prints {"answer"} or {"error"}.
const { createInterface } = require("node:readline");
const functions = require(process.argv[2]);

function call(handler, event) {
  return new Promise((resolve, reject) => {
    const callback = (error, answer) => (error ? reject(typeof error === "string" ? new Error(error) : error) : resolve(answer));
    const returned = handler(event, {}, callback);
    if (returned instanceof Promise) returned.then(resolve, reject);
  });
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { name, event } = JSON.parse(line);
    const said = await Promise.resolve()
      .then(() => call(functions[name], event))
      .then((answer) => ({ answer }), (error) => ({ error: error.message }));
    console.log(JSON.stringify(said));
  }
}

main();
