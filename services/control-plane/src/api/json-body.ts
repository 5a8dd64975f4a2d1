import type { FastifyInstance } from 'fastify';
import { jsonShapeMistake } from '../document-limits.ts';
import { InvalidBody } from './problem.ts';

/** Parses JSON as Fastify does (`__proto__` and `constructor.prototype` are refused), after a check of its shape. */
export function takeJsonBodies(api: FastifyInstance): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.removeContentTypeParser('application/json');
  api.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string' },
    (request, body, done) => {
      const text = String(body);
      const mistake = jsonShapeMistake(text);
      if (mistake !== undefined) return done(new InvalidBody([{ path: [], message: mistake }]), undefined);
      return parse(request, text, (error, value) => {
        if (error === null || !/__proto__|constructor/.test(text)) return done(error, value);
        const message = 'is not valid JSON, or has a key "__proto__" or "constructor.prototype", which is refused';
        return done(new InvalidBody([{ path: [], message }]), undefined);
      });
    },
  );
}
