/** The portal over a fleet that is made up: without Kafka, with one server and one browser for all of it. */
import './pages/shared.ts';
import './pages/pages.ts';
import './pages/sign-in.ts';
