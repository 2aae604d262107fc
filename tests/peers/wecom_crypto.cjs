// Reads one JSON object from standard input, does what it asks with WeCom's own two packages, and prints the answers as JSON.
const path = require("path");
const modules = process.argv[2];
const official = require(path.join(modules, "@wecom/crypto"));
const { WecomCrypto } = require(path.join(modules, "@wecom/aibot-node-sdk"));

const tried = (work) => {
  try {
    return work();
  } catch (error) {
    return null;
  }
};

let input = "";
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", () => {
  const { token, key, timestamp, nonce, cases } = JSON.parse(input);
  const answers = cases.map(({ text, receiver, sealed, wrong }) => {
    const strict = new WecomCrypto(token, key, receiver);
    const theirs = official.encrypt(key, text, receiver);
    const strictly = strict.encrypt(text, timestamp, nonce);
    const opened = official.decrypt(key, sealed);
    return {
      sealed: theirs,
      signature: official.getSignature(token, timestamp, nonce, theirs),
      strictly_sealed: strictly.encrypt,
      strictly_signed: strictly.signature,
      opened: opened.message,
      receiver: opened.id,
      strictly_opened: strict.decrypt(sealed),
      wrong_opened: wrong.map((one) => tried(() => strict.decrypt(one))),
    };
  });
  process.stdout.write(JSON.stringify(answers));
});
