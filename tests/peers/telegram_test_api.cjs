// Starts npm telegram-test-api on the port given and says so. Ends with its standard input.
const TelegramServer = require(require.resolve("telegram-test-api", { paths: [process.argv[2]] }));

new TelegramServer({ port: Number(process.argv[3]), host: "127.0.0.1" })
  .start()
  .then(() => console.log("ready"));
process.stdin.on("end", () => process.exit(0)).resume();
