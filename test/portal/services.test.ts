/**
 * The portal and the set-up page before real services: one Kafka, two control planes and one browser for all of it, since
 * starting them takes longer than most of the tests. Each test has customers of its own.
 */
import './services/shared.ts';
import './services/set-up.ts';
import './services/certificate.ts';
import './services/invite.ts';
import './services/journey.ts';
import './services/threats.ts';
import './services/canary.ts';
// The last: it ends the writer.
import './services/writer-killed.ts';
