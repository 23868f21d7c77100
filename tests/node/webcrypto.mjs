// Node 18 has Web Crypto, but not as globals, where jose and openid-client look for it.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
