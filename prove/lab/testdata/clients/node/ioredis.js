// An application on ioredis: it says which group it wants and whom to ask. Its failoverDetector stays off, as it is unless
// asked for: a +switch-master that comes while it asks for the master ends that client for good (5.11.1: "Connection is
// closed" from then on), whatever Sentinel it is.
// Usage: node ioredis.js GROUP KEY SENTINEL:PORT...
const Redis = require("ioredis");

const [, , group, key, ...sentinels] = process.argv;
const client = new Redis({
  name: group,
  sentinels: sentinels.map((at) => ({ host: at.split(":")[0], port: Number(at.split(":")[1]) })),
  connectTimeout: 1000,
  commandTimeout: 1000,
  sentinelCommandTimeout: 1000,
  sentinelRetryStrategy: () => 50,
  retryStrategy: () => 50,
  // A server that was demoted while this client was connected to it says READONLY: 2 is reconnect, and send again.
  reconnectOnError: (err) => (err.message.startsWith("READONLY") ? 2 : false),
});
client.on("error", (err) => console.log("oops", err.message));

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

async function main() {
  for (let n = 1; ; await pause()) {
    try {
      await client.sadd(key, n);
      console.log("ack", n, Date.now(), `${client.stream.remoteAddress}:${client.stream.remotePort}`);
      n++;
    } catch (err) {
      console.log("oops", n, err.message);
    }
  }
}

main();
