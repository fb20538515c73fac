/** What stands for a value that is one too many, or not known. */
export const OTHER = 'other';

/** Keeps a label bounded whose values come from elsewhere: the first so many different ones are told, all later ones are `other`. */
export class LabelLimit {
  private readonly seen = new Set<string>();

  constructor(private readonly most = 100) {}

  of(value: string): string {
    if (this.seen.has(value)) return value;
    if (this.seen.size >= this.most) return OTHER;
    this.seen.add(value);
    return value;
  }
}
