/** Real servers on a busy machine answer when they can. */
import.meta.jest.setTimeout(180_000);
