import { createLogger } from '@databridge/kernel/log';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { fastify } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { answerWithProblems } from '../../problem.ts';
import { catalogueRoutes } from './catalogue-routes.ts';

const api = fastify().withTypeProvider<ZodTypeProvider>();
api.setValidatorCompiler(validatorCompiler);
api.setSerializerCompiler(serializerCompiler);

beforeAll(() => {
  answerWithProblems(api as never, createLogger('control-plane', 'silent'));
  const eventTypes = loadEventTypes('root-cause=calls.analyzed');
  catalogueRoutes(api as never, {
    intake: { eventTypes, schemaIdOf: () => Promise.reject(new Error('nothing is encoded')) },
  });
});
afterAll(() => api.close());

test('the event types that are configured are listed, without their topics', async () => {
  const { body } = await api.inject('/v1/event-types');
  expect(JSON.parse(body)).toMatchObject({
    eventTypes: [
      { name: 'root-cause', schemaVersion: 'v1.0', sections: expect.arrayContaining(['summary', 'intent']) },
    ],
  });
  expect(body).not.toContain('calls.analyzed');
});

test('one event type has its JSON Schema and a sample', async () => {
  const answer = await api.inject('/v1/event-types/root-cause');
  expect(answer.json()).toMatchObject({
    jsonSchema: { $schema: 'https://json-schema.org/draft/2020-12/schema', required: ['schema_version', 'statusCode'] },
    sample: { schema_version: 'v1.0', summary: { company: 'sample company' } },
  });
});

test('the page may load nothing and run nothing', async () => {
  const { headers, body } = await api.inject('/v1/event-types/root-cause/page');
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /);
  expect(body).toContain('<h1>root-cause v1.0</h1>');
  expect(body).not.toMatch(/<script|src=|https?:/);
});

test('an event type that is not configured is named, with what it may have been', async () => {
  const answer = await api.inject('/v1/event-types/root-cuase');
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toMatchObject({
    detail: expect.stringMatching(/There is no event type "root-cuase".*root-cause/),
  });
});

test('the AsyncAPI document has the topics as they are configured', async () => {
  const answer = await api.inject('/v1/asyncapi.json');
  expect(answer.json()).toMatchObject({ asyncapi: '3.0.0', channels: { RootCause: { address: 'calls.analyzed' } } });
});
