/** What a form of the page gives: the entered values, with the secrets apart from the rest, by place. */
export interface Entered {
  readonly setup?: Record<string, unknown>;
  readonly secrets: Readonly<Record<string, string>>;
  /** The signed certificate in PEM, if it was requested here. */
  readonly certificate?: string;
  /** The public keys that were created here, each with its purpose. */
  readonly publicKeys?: readonly (readonly [words: string, key: string])[];
}

export interface Form {
  readonly nodes: Node[];
  read(): Promise<Entered>;
  /** Clears the secrets once they are sent; the other values stay for corrections. */
  forget(): void;
}
