import { type Directory, identityOf } from './directory';
import type { RawPath } from './raw-path';

/**
 * A place in a tree, from which one goes down and up a step at a time. Holds one descriptor more than its root, at any depth, and a step costs the same
 * at any depth.
 */
export class Cursor {
  /** The directories from the root to here, without the root. */
  private readonly trail: { readonly name: RawPath; readonly parent: string }[] = [];
  private current: Directory;

  constructor(private readonly root: Directory) {
    this.current = root;
  }

  get here(): Directory {
    return this.current;
  }

  get depth(): number {
    return this.trail.length;
  }

  enter(name: RawPath): void {
    const child = this.current.child(name);
    this.trail.push({ name, parent: identityOf(this.current.stat()) });
    this.release();
    this.current = child;
  }

  /**
   * Goes up. `left` is given what was left while it is still open, once nothing is looked up in it any more.
   * @throws where the directory was moved to another one meanwhile
   */
  leave(left?: (directory: Directory) => void): void {
    const step = this.trail.pop();
    if (!step) throw new Error('there is nothing above the root of a tree');
    const parent = this.trail.length === 0 ? this.root : this.current.parent();
    try {
      if (this.trail.length > 0 && identityOf(parent.stat()) !== step.parent) throw new Error('a directory was moved while it was read');
      left?.(this.current);
    } finally {
      this.current.close();
      this.current = parent;
    }
  }

  /** Goes to this directory, by the shortest way. */
  goTo(segments: readonly RawPath[]): void {
    let shared = 0;
    while (shared < segments.length && this.trail[shared]?.name === segments[shared]) shared++;
    while (this.trail.length > shared) this.leave();
    for (const name of segments.slice(shared)) this.enter(name);
  }

  /** Goes back to the root, which stays open. */
  close(): void {
    this.release();
    this.trail.length = 0;
    this.current = this.root;
  }

  private release(): void {
    if (this.current !== this.root) this.current.close();
  }
}
