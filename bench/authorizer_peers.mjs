// Verifies one token with a library of npm, and says what importing it and what a decision cost in CPU time.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const { name, keys, token, issuer, audience, rounds } = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(join(process.argv[2], "package.json"));
const cpu = (since) => { const { user, system } = process.cpuUsage(since); return user + system; };

// As the guides have it: jsonwebtoken asks jwks-rsa for the key of each token, which keeps it in memory.
async function jsonwebtoken() {
  const jwt = require("jsonwebtoken");
  const jwksClient = require("jwks-rsa");
  return async () => {
    const server = createServer((_, answer) => answer.setHeader("content-type", "application/json").end(keys));
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    const client = jwksClient({ jwksUri: `http://127.0.0.1:${server.address().port}/`, cache: true, cacheMaxAge: 3600e3 });
    const getKey = (header, done) => client.getSigningKey(header.kid, (error, key) => done(error, key?.getPublicKey()));
    const decide = () => new Promise((resolve, reject) => {
      jwt.verify(token, getKey, { algorithms: ["RS256"], issuer, audience }, (error, claims) => (error ? reject(error) : resolve(claims)));
    });
    await decide();
    server.close();
    return decide;
  };
}

async function awsJwtVerify() {
  const { JwtVerifier } = require("aws-jwt-verify");
  return async () => {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: "https://127.0.0.1/unused" });
    verifier.cacheJwks(JSON.parse(keys));
    return async () => verifier.verifySync(token);
  };
}

const before = process.cpuUsage();
const prepare = await (name === "aws-jwt-verify" ? awsJwtVerify() : jsonwebtoken());
const import_ms = cpu(before) / 1000;
const decide = await prepare();
if ((await decide()).iss !== issuer) throw new Error("not verified");
let decision_us = Infinity;
for (let round = 0; round < rounds; round++) {
  const began = process.cpuUsage();
  for (let n = 0; n < 200; n++) await decide();
  decision_us = Math.min(decision_us, cpu(began) / 200);
}
console.log(JSON.stringify({ import_ms, decision_us }));
process.exit(0);
