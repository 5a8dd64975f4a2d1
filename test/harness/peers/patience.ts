/** Real servers on a busy machine answer when they can. */
jest.setTimeout(180_000);
