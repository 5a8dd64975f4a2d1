import { createLogger } from '@databridge/kernel/log';
import { fastify } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Api, ApiContext } from '../../context.ts';
import { answerWithProblems } from '../../problem.ts';
import { filterRoutes } from './filter-routes.ts';

let api: Api;

beforeAll(() => {
  const plain = fastify({ bodyLimit: 10_000 });
  answerWithProblems(plain, createLogger('test', 'silent'));
  api = plain.withTypeProvider<ZodTypeProvider>() as Api;
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  filterRoutes(api, {} as ApiContext);
});
afterAll(() => api.close());

const ask = async (payload: string) => {
  const headers = { 'content-type': 'application/json' };
  const { statusCode, body } = await api.inject({ method: 'POST', url: '/v1/filters/try', headers, payload });
  return { statusCode, body: JSON.parse(body) };
};

test('whole numbers of the event keep all their digits', async () => {
  const filter = '"event.statusCode == 9007199254740993"';
  expect(await ask(`{"filter":${filter},"event":{"statusCode":9007199254740993}}`)).toMatchObject({
    statusCode: 200,
    body: { matches: true },
  });
  expect(await ask(`{"filter":${filter},"event":{"statusCode":9007199254740992}}`)).toMatchObject({
    body: { matches: false },
  });
});

test.each([
  ['{"filter":"event.x == 1","event":{}}', 422, 'the event has no \\"x\\"'],
  ['{"filter":"true","event":{},"eventType":"root-cuase"}', 422, 'did you mean'],
  ['{"filter":"true"}', 422, '/event'],
  ['{"filter":', 400, ''],
  [`{"filter":"true","event":{"a":"${'x'.repeat(20_000)}"}}`, 413, ''],
])('a mistake is a problem: %.40s', async (payload, status, detail) => {
  const { statusCode, body } = await ask(payload);
  expect([statusCode, JSON.stringify(body)]).toEqual([status, expect.stringContaining(detail)]);
});
