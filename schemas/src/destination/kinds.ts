/** The registered kinds of destination: one line for each folder beside this file. CONTRIBUTING says how to add one. */
export { apiGateway } from './api-gateway/kind.ts';
export { email } from './email/kind.ts';
export { eventbridge } from './eventbridge/kind.ts';
export { http } from './http/kind.ts';
export { sns } from './sns/kind.ts';
export { sqs } from './sqs/kind.ts';
