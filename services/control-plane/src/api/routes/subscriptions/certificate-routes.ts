import { DatabridgeError } from '@databridge/kernel/errors';
import type { CertificateRequest } from '@databridge/schemas/requests/worker-requests';
import { z } from 'zod';
import { noteOperation } from '../../../operations/note-operation.ts';
import {
  certificateRequestOf,
  requestCertificate,
  saveCertificate,
  usualName,
} from '../../../subscriptions/client-certificate.ts';
import { readCustomer } from '../../../views/customer.ts';
import { roleOf } from '../../auth/access.ts';
import type { Api, ApiContext } from '../../context.ts';
import { customerParams, masked, subscriptionAnswer } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';

const tags = ['secrets'];

const requestAnswer = z
  .object({
    id: z.string(),
    commonName: z.string(),
    csr: z.string().describe('PKCS #10, PEM: to be signed by an authority that the destination trusts'),
    madeAtMs: z.number().describe('ms since the epoch'),
  })
  .meta({ id: 'CertificateRequest' });

/** Client certificates whose private keys only the delivery workers have. */
export function certificateRoutes(api: Api, { operations, change }: ApiContext): void {
  const path = '/v1/subscriptions/:customer/certificate-request';
  api.get(
    path,
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'The latest certificate request of a customer',
        params: customerParams,
        response: { 200: requestAnswer, ...problems },
      },
    },
    async ({ params: { customer } }) => {
      await readCustomer(operations, customer);
      const found = await certificateRequestOf(operations, customer);
      if (found !== undefined) return shown(found);
      throw new DatabridgeError('DB_NOT_FOUND', `No certificate was requested for "${customer}"`);
    },
  );

  api.post(
    path,
    {
      schema: {
        tags,
        summary: 'Has a delivery worker make a key pair, and answers with the certificate request; the key stays there',
        params: customerParams,
        body: z.strictObject({
          commonName: z
            .string()
            .regex(/^[\w .@-]{1,64}$/, 'must be 1 to 64 letters, digits, spaces or any of . @ - _')
            .optional()
            .describe('in the subject of the certificate; left out: databridge-<customer>'),
        }),
        response: { 201: requestAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { customer } = request.params;
      const { commonName = usualName(customer) } = request.body;
      await readCustomer(operations, customer);
      await change(request, customer, (context) =>
        noteOperation(context, 'request-certificate', customer, { commonName }),
      );
      const made = await requestCertificate(operations, customer, commonName);
      reply.code(201);
      return shown(made);
    },
  );

  api.put(
    '/v1/subscriptions/:customer/certificate',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Sets the client certificate that was signed for the latest request, together with its key',
        params: customerParams,
        body: z.strictObject({ certificate: z.string().min(1).max(65_536).describe('PEM, the chain after it') }),
        response: { 200: subscriptionAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer } = request.params;
      return masked(
        await change(request, customer, (context) =>
          saveCertificate(context, customer, request.body.certificate, roleOf(request)),
        ),
      );
    },
  );
}

const shown = ({ id, commonName, csr, madeAtMs }: CertificateRequest) => ({ id, commonName, csr, madeAtMs });
