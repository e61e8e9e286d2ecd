// All of clients_test.mjs with the guard on: while nothing has to wait, not a byte is different.
process.env.APIQUOTA_TEST_FLAGS = "--guard=on";
await import("./clients_test.mjs");
