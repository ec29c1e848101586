// An application on node-redis and its Sentinel client. A connection that can't be made is given up after a few attempts: without a
// limit 5.12.1 waits for ever for a master that died after a Sentinel had named it, and asks no other until it is back.
// Usage: node redis.js GROUP KEY SENTINEL:PORT...
const { createSentinel } = require("redis");

const [, , group, key, ...sentinels] = process.argv;
const client = createSentinel({
  name: group,
  sentinelRootNodes: sentinels.map((at) => ({ host: at.split(":")[0], port: Number(at.split(":")[1]) })),
  nodeClientOptions: { socket: { connectTimeout: 1000, reconnectStrategy: (n) => (n < 4 ? 50 : new Error("given up")) } },
  sentinelClientOptions: { socket: { connectTimeout: 1000 } },
});
let master = "unknown:0";
client.on("error", (err) => console.log("oops", err.message));
client.on("client-error", (event) => console.log("oops", event.type, event.node.host, event.error.message));
client.on("topology-change", (event) => {
  if (event.type === "MASTER_CHANGE") master = `${event.node.host}:${event.node.port}`;
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

async function main() {
  await client.connect();
  for (let n = 1; ; await pause()) {
    try {
      const before = master;
      await client.sAdd(key, String(n));
      // While the master changes, the older name is the one that this write may have gone to.
      console.log("ack", n, Date.now(), before);
      n++;
    } catch (err) {
      console.log("oops", n, err.message);
    }
  }
}

main();
