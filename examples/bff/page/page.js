// The page's part: it has no token, and no library. The cookie goes along by itself, the header says who is asking.
const ask = (path, options) => fetch(`bff/${path}`, { ...options, headers: { "X-BFF": "1", ...options?.headers } });
const show = (id, text) => (document.getElementById(id).textContent = text);
const on = (id, action) => document.getElementById(id).addEventListener("click", () => action().catch((error) => show("status", error.message)));

async function greet() {
  const { name } = await (await ask("user")).json();
  show("status", name ? `Signed in as ${name}` : "Signed out");
}

on("notes", async () => {
  const answer = await ask("api/notes");
  show("answer", `${answer.status} ${await answer.text()}`);
  if (answer.status === 401) await greet();
});
on("sign-out", async () => location.assign((await (await ask("logout", { method: "POST" })).json()).next));
greet();
