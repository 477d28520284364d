import { randomBytes } from 'node:crypto';
import { typeHashData } from '../typeHash.js';
import type { Bus } from './bus.js';
import { ddsReply, ddsRequest, ddsType } from './names.js';
import { qosProfiles } from './qos.js';
import type { Client, Closable } from './transport.js';

/**
 * Services as ROS 2's RMW for Cyclone DDS has them: two topics, and before each payload who asked
 * (8 bytes) and the number of the request (8 bytes), which the reply repeats. Other RMWs put that
 * into the headers of DDS, so a service meets nodes on `rmw_cyclonedds_cpp` alone.
 */
const CDR_HEADER = 4;
const CALL_HEADER = 16;
/** That a client waits for an answer, where it is not told how long. */
export const CALL_TIMEOUT_S = 5;

/** @param who `serviceid=…;` or `clientid=…;`, the same on both topics, so that others know which belong together */
const endpoint = (topic: string, type: string, who: string) => ({
  topic,
  type: ddsType(type),
  qos: qosProfiles.services,
  userData: who + typeHashData(type),
});

/** 16 bytes as ROS 2 writes them there. */
const newId = () => [...randomBytes(16)].map((byte) => byte.toString(16)).join('.');

export interface Endpoints extends Closable {
  readonly readers: Uint8Array[];
  readonly writers: Uint8Array[];
}

export function serveOn(
  bus: Bus,
  service: string,
  type: string,
  answer: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>,
  onError: (error: Error) => void,
): Endpoints {
  const who = `serviceid=${newId()};`;
  const replies = bus.writer(endpoint(ddsReply(service), `${type}_Response`, who));
  const requests = bus.reader(endpoint(ddsRequest(service), `${type}_Request`, who), async (bytes) => {
    if (bytes.length < CDR_HEADER + CALL_HEADER) return;
    const call = bytes.slice(CDR_HEADER, CDR_HEADER + CALL_HEADER);
    try {
      replies.write(withCall(call, await answer(withoutCall(bytes))));
    } catch (error) {
      onError(error as Error);
    }
  });
  return {
    readers: [requests.gid],
    writers: [replies.gid],
    close: () => {
      requests.close();
      replies.close();
    },
  };
}

export function clientOn(bus: Bus, service: string, type: string): Client & Endpoints {
  const me = randomBytes(8);
  const waiting = new Map<bigint, (response: Uint8Array) => void>();
  let calls = 0n;
  const who = `clientid=${newId()};`;
  const requests = bus.writer(endpoint(ddsRequest(service), `${type}_Request`, who));
  const replies = bus.reader(endpoint(ddsReply(service), `${type}_Response`, who), (bytes) => {
    const call = Buffer.from(bytes.subarray(CDR_HEADER, CDR_HEADER + CALL_HEADER));
    if (call.length === CALL_HEADER && call.subarray(0, 8).equals(me))
      waiting.get(call.readBigInt64LE(8))?.(withoutCall(bytes));
  });
  return {
    readers: [replies.gid],
    writers: [requests.gid],
    get ready() {
      return requests.matched > 0 && replies.matched > 0;
    },
    call: (request, timeout_s = CALL_TIMEOUT_S) =>
      new Promise((resolve, reject) => {
        const number = ++calls;
        const call = Buffer.alloc(CALL_HEADER);
        call.set(me);
        call.writeBigInt64LE(number, 8);
        const timer = setTimeout(() => {
          waiting.delete(number);
          reject(new Error(`${service}: no answer within ${timeout_s} s`));
        }, 1e3 * timeout_s);
        waiting.set(number, (response) => {
          clearTimeout(timer);
          waiting.delete(number);
          resolve(response);
        });
        requests.write(withCall(call, request));
      }),
    close: () => {
      requests.close();
      replies.close();
    },
  };
}

function withCall(call: Uint8Array, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, CDR_HEADER), call, bytes.subarray(CDR_HEADER)]);
}

function withoutCall(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, CDR_HEADER), bytes.subarray(CDR_HEADER + CALL_HEADER)]);
}
