/** The fields of a kind of destination or authentication, as kinds.ts lists them. */

export interface FieldOf {
  /** The name in the subscription. */
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'long' | 'secret' | 'long-secret' | 'choice' | 'number' | 'check' | 'map';
  readonly isRequired: boolean;
  readonly hint?: string;
  /** The options of a choice. */
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
  /** The field applies only while another field has one of these values. */
  readonly when?: { readonly field: string; readonly is: readonly string[] };
}

export interface Kind {
  readonly type: string;
  readonly title: string;
  /** For a destination: the types of authentication that it allows. */
  readonly authentications?: readonly string[];
  readonly fields: readonly FieldOf[];
}
