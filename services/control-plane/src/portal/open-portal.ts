import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import { readSecretSetting } from '@databridge/kernel/settings/read-setting';
import type { ControlPlaneConfig } from '../config.ts';
import { OidcSignIn } from './oidc-sign-in.ts';
import { readPortalFiles } from './portal-files.ts';
import type { PortalParts } from './portal-routes.ts';

/** @returns undefined if it is not served. @throws {DatabridgeError} DB_CONFIG_INVALID */
export function openPortal(config: ControlPlaneConfig, log: Logger): PortalParts | undefined {
  const { PORTAL_DIR: directory, PORTAL_URL: url, PORTAL_OIDC_CLIENT_ID: clientId } = config;
  if (directory === undefined) return undefined;
  const files = readPortalFiles(directory);
  if (clientId === undefined) return { files };
  const { API_OIDC_ISSUER: issuer, PORTAL_OIDC_CLIENT_SECRET_FILE: secretFile } = config;
  if (issuer === undefined || url === undefined) {
    throw new DatabridgeError('DB_CONFIG_INVALID', 'PORTAL_OIDC_CLIENT_ID needs API_OIDC_ISSUER and PORTAL_URL, too');
  }
  const claims = { roleClaim: config.API_OIDC_ROLE_CLAIM, customerClaim: config.API_OIDC_CUSTOMER_CLAIM };
  const clientSecret = secretFile && readSecretSetting('PORTAL_OIDC_CLIENT_SECRET_FILE', secretFile).trim();
  const settings = { issuer, clientId, portalUrl: url, ...claims, ...(clientSecret && { clientSecret }) };
  return { files, oidc: new OidcSignIn(settings, log) };
}
