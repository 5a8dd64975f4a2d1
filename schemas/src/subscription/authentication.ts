/** The ways in which a customer's API authenticates us. */
import { z } from 'zod';
import { headerName, headerValue, repeatedNames } from './header-rules.ts';
import { url } from './url-rules.ts';

/** @typeParam S the form in which secrets are held */
export type Authentication<S = string> =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: string; readonly password: S }
  | { readonly type: 'api-key'; readonly name: string; readonly key: S }
  | OAuthAuthentication<S>
  | AwsAuthentication<S>;

/** OAuth 2 client credentials (RFC 6749 §4.4). */
export interface OAuthAuthentication<S = string> {
  readonly type: 'oauth';
  readonly tokenUrl: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly clientId: string;
  /** Only for `header` and `body`. */
  readonly clientSecret?: S;
  /**
   * `header`: HTTP Basic; `body`: parameters of the request, which for GET are in the query; `private-key-jwt`: an
   * assertion that the client's private key signs (RFC 7523).
   */
  readonly clientAuthentication: 'header' | 'body' | 'private-key-jwt';
  /** Only for `private-key-jwt`: PEM. */
  readonly clientKey?: S;
  /** The `kid` of the assertion, if the server requires one. */
  readonly clientKeyId?: string;
  /** The `aud` of the assertion; if omitted, the token endpoint. */
  readonly assertionAudience?: string;
  readonly scope?: string;
  readonly audience?: string;
  /** Extra values of the token request. */
  readonly headers: OAuthParameters<S>;
  readonly query: OAuthParameters<S>;
  readonly body: OAuthParameters<S>;
}

export type OAuthParameters<S = string> = Readonly<Record<string, string | { readonly secret: S }>>;

/**
 * Keys of the customer's account, or a role in it that our own account may assume. The external id is generated when
 * the subscription is saved, and every stored role has one: if customers could choose it, they could choose another
 * customer's.
 */
export type AwsAuthentication<S = string> =
  | { readonly type: 'aws'; readonly accessKeyId: string; readonly secretAccessKey: S }
  | { readonly type: 'aws'; readonly roleArn: string; readonly externalId?: string };

/** The values that may be in the place of a secret: as a person writes it, or sealed. */
export interface SecretRules {
  readonly password: z.ZodString;
  readonly key: z.ZodString;
  readonly clientSecret: z.ZodString;
  readonly parameter: z.ZodString;
  readonly secretAccessKey: z.ZodString;
  readonly clientKey: z.ZodString;
}

const NAMED_BY_FIELDS = new Set(['grant_type', 'client_id', 'client_secret', 'client_assertion']);
const parameterName = z
  .string()
  .min(1, 'must not be empty')
  .max(256)
  .refine((name) => !NAMED_BY_FIELDS.has(name), 'is set by Databridge itself');
/** RFC 6749 appendix A: the characters of client ids and scopes. */
const visible = z.string().regex(/^[\x20-\x7e]+$/, 'must be printable ASCII, not empty');

export function authenticationSchema(secret: SecretRules) {
  const value = (plain: z.ZodString) =>
    z.union([plain, z.strictObject({ secret: secret.parameter })], {
      error: 'must be a printable string, or a map with the single key "secret"',
    });
  return z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({
        type: z.literal('basic'),
        username: z.string().regex(/^[^:\p{Cc}]+$/u, 'must not be empty or contain a colon or control characters'),
        password: secret.password,
      }),
      z.strictObject({ type: z.literal('api-key'), name: headerName, key: secret.key }),
      z.strictObject({
        type: z.literal('oauth'),
        tokenUrl: url,
        method: z.enum(['GET', 'POST', 'PUT']).default('POST'),
        clientId: visible,
        clientSecret: secret.clientSecret.optional(),
        clientAuthentication: z.enum(['header', 'body', 'private-key-jwt']).default('header'),
        clientKey: secret.clientKey.optional(),
        clientKeyId: visible.max(256).optional(),
        assertionAudience: visible.max(2_048).optional(),
        scope: visible.optional(),
        audience: visible.optional(),
        headers: z
          .record(headerName, value(headerValue))
          .superRefine((headers, context) => {
            for (const message of repeatedNames(Object.keys(headers))) context.addIssue({ code: 'custom', message });
          })
          .default({}),
        query: z.record(parameterName, value(z.string())).default({}),
        body: z.record(parameterName, value(z.string())).default({}),
      }),
      z.strictObject({
        type: z.literal('aws'),
        accessKeyId: z
          .string()
          .regex(/^\w{16,128}$/, 'is not an AWS access key id')
          .optional(),
        secretAccessKey: secret.secretAccessKey.optional(),
        roleArn: z
          .string()
          .regex(
            /^arn:[a-z0-9-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,
            'is not the ARN of an IAM role, such as arn:aws:iam::123456789012:role/databridge',
          )
          .optional(),
        externalId: z
          .string()
          .regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 letters, digits or any of + = , . @ : / - _')
          .optional(),
      }),
    ])
    .default({ type: 'none' });
}
