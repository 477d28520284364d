import type { Command } from 'commander';
import { type AccessFiles, type BrokerAccess, brokerAccess } from '../fleet/access.js';

/** Options of every command that talks to a broker. */
export interface BrokerOptions {
  readonly broker?: string;
  readonly brokerCredentials?: string;
  readonly brokerCa?: string;
  readonly brokerCert?: string;
  readonly brokerKey?: string;
}

/** @param otherwise what happens without a broker's URL */
export function addBrokerOptions(command: Command, otherwise: string): Command {
  return command
    .option('--broker <url>', `MQTT broker, mqtt://HOST:PORT or mqtts://HOST:PORT (${otherwise})`)
    .option(
      '--broker-credentials <file>',
      'JSON {username, password}; or REVERIE_MQTT_USERNAME and _PASSWORD',
    )
    .option('--broker-ca <file>', 'PEM of who vouches for the broker; or REVERIE_MQTT_CA')
    .option('--broker-cert <file>', "PEM of this machine's certificate; or REVERIE_MQTT_CERT")
    .option('--broker-key <file>', 'PEM of its key; or REVERIE_MQTT_KEY');
}

/** @throws UserError where URL, file or variable are wrong */
export function accessOf(url: string, options: BrokerOptions): BrokerAccess {
  const files: AccessFiles = {
    credentials: options.brokerCredentials,
    ca: options.brokerCa,
    cert: options.brokerCert,
    key: options.brokerKey,
  };
  return brokerAccess(url, files);
}
