import { createRequire } from 'node:module';
import { installHeartbeatPatch } from './heartbeat-patch.ts';

installHeartbeatPatch();

const { heartbeat } = createRequire(import.meta.url)('kafkajs/src/consumer/runner').prototype;

function runnerOf(answer: () => Error | undefined) {
  const consumerGroup = {
    memberId: 'a',
    generationId: 1,
    asked: 0,
    async heartbeat() {
      this.asked++;
      const error = answer();
      if (error) throw error;
    },
  };
  return { consumerGroup, heartbeatInterval: 1, heartbeat };
}

const protocolError = (type: string) => Object.assign(new Error(type), { type });

test.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])(
  '%s is asked for once: every partition of a fetch hears the same',
  async (type) => {
    const runner = runnerOf(() => protocolError(type));
    for (let partition = 0; partition < 64; partition++) await expect(runner.heartbeat()).rejects.toThrow(type);
    expect(runner.consumerGroup.asked).toBe(1);
  },
);

test('with the next generation, or as another member, it asks again', async () => {
  const answers = [protocolError('REBALANCE_IN_PROGRESS'), undefined, protocolError('UNKNOWN_MEMBER_ID'), undefined];
  const runner = runnerOf(() => answers.shift());
  await expect(runner.heartbeat()).rejects.toThrow('REBALANCE_IN_PROGRESS');
  runner.consumerGroup.generationId = 2;
  await runner.heartbeat();
  await expect(runner.heartbeat()).rejects.toThrow('UNKNOWN_MEMBER_ID');
  runner.consumerGroup.memberId = 'b';
  await runner.heartbeat();
});

test('what may mend itself is asked again', async () => {
  const answers = [protocolError('COORDINATOR_LOAD_IN_PROGRESS'), undefined];
  const runner = runnerOf(() => answers.shift());
  await expect(runner.heartbeat()).rejects.toThrow();
  await runner.heartbeat();
});
