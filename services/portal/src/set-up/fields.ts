/** The fields of a kind of destination or authentication, as kinds.ts lists them. */

export interface FieldOf {
  /** As the subscription names it. */
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'long' | 'secret' | 'long-secret' | 'choice' | 'number' | 'check' | 'map';
  readonly isRequired: boolean;
  readonly hint?: string;
  /** Of a choice. */
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
  /** It goes with these values of another field alone. */
  readonly when?: { readonly field: string; readonly is: readonly string[] };
}

export interface Kind {
  readonly type: string;
  readonly title: string;
  /** Of a destination: the types that go with it. */
  readonly authentications?: readonly string[];
  readonly fields: readonly FieldOf[];
}
