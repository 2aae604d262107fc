// A bot on npm @wecom/aibot-node-sdk: answers words with a stream and a pushed card, changes the card that is pressed, sends a
// picture back as it came, welcomes who comes in. Ends with its standard input.
const { WSClient } = require(require.resolve("@wecom/aibot-node-sdk", { paths: [process.argv[2]] }));

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const bot = new WSClient({
  wsUrl: process.argv[3],
  botId: process.argv[4],
  secret: process.argv[5],
  heartbeatInterval: 200,
  reconnectInterval: 20,
  logger: quiet,
});
const card = (task_id, words) => ({
  card_type: "button_interaction",
  task_id,
  main_title: { title: words },
  button_list: [{ text: "接单", style: 1, key: "accept" }],
});

bot.on("authenticated", () => console.log("ready"));
bot.on("error", (error) => console.log(`error ${error.message}`));
bot.on("event.disconnected_event", () => console.log("taken over"));
bot.on("message.text", async (frame) => {
  await bot.replyStream(frame, "s1", "收到", false);
  await bot.replyStream(frame, "s1", `收到：${frame.body.text.content}`, true);
  await bot.sendMessage(frame.body.chatid || frame.body.from.userid, {
    msgtype: "template_card",
    template_card: card("task-1", "已派单"),
  });
});
bot.on("message.image", async (frame) => {
  const { image } = frame.body;
  const { buffer } = await bot.downloadFile(image.url, image.aeskey);
  const { media_id } = await bot.uploadMedia(buffer, { type: "image", filename: "back.jpg" });
  await bot.sendMediaMessage(frame.body.from.userid, "image", media_id);
});
bot.on("event.template_card_event", (frame) =>
  bot.updateTemplateCard(frame, card(frame.body.event.template_card_event.task_id, "已接单")),
);
bot.on("event.enter_chat", (frame) => bot.replyWelcome(frame, { msgtype: "text", text: { content: "您好" } }));
bot.connect();
process.stdin.on("end", () => process.exit(0)).resume();
