import { realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

/** What a pod in namespaces sees of the machine's files. All that is not named here it can read as the provisioner's user can, and not change. */
export interface NamespaceView {
  /** The pod's own directory, and in whose place it is seen. */
  readonly temporary: readonly { readonly from: string; readonly at: string }[];
  /** Directories in whose place there is an empty one, in memory, that can be written. */
  readonly inMemory: readonly string[];
  /** What is hidden, and what is seen although something that holds it is hidden or replaced: outer ones before what is in them. */
  readonly layers: readonly Layer[];
  /** What can be changed. */
  readonly own: readonly string[];
}

export interface Layer {
  readonly path: string;
  readonly isHidden: boolean;
}

export interface ViewSettings {
  readonly podsDir: string;
  readonly agentPath: string;
  /** Further paths that pods must not see, and paths that they must see although something that holds them is hidden. */
  readonly hidden: readonly string[];
  readonly visible: readonly string[];
}

/** What belongs to the pod alone, as the driver has it on the disk. */
export interface OwnPaths {
  readonly workspace: string;
  readonly told: string;
  readonly temporary: string;
}

/** Directories that all programs of a user share: each pod has its own in their place. */
const TEMPORARY = ['/tmp', '/var/tmp'];
const IN_MEMORY = ['/dev/shm'];

/**
 * Where programs of the provisioner's user listen that would do for a task what it must not do: container engines, the user's own service manager,
 * databases that take the user for the login.
 */
const SOCKETS = ['/run/docker.sock', '/run/containerd', '/run/podman', '/run/postgresql', '/run/dbus', '/run/snapd.socket'];

/** Variables that name a file with a secret; not those of certificates, which tasks need. */
const SECRET_FILE = /(SECRET|KEY|KEY_ID|PASSWORD|TOKEN|URL)(_PREVIOUS)?_FILE$/;

/** Of a pod with these paths. Looked up each time: what is hidden must be there, and may have been made since. */
export async function viewOf(settings: ViewSettings, own: OwnPaths): Promise<NamespaceView> {
  const runtime = `/run/user/${process.getuid?.() ?? ''}`;
  const [temporary, inMemory, hidden, visible] = await Promise.all([
    existing(TEMPORARY),
    existing(IN_MEMORY),
    existing([settings.podsDir, ...settings.hidden, ...secretFiles(), homeDirectory(), runtime, ...SOCKETS]),
    existing([settings.agentPath, dirname(dirname(process.execPath)), ...settings.visible]),
  ]);
  return {
    temporary: temporary.map((at) => ({ from: own.temporary, at })),
    inMemory,
    layers: layersOf([...temporary, ...inMemory], hidden, visible),
    own: [own.workspace, own.told],
  };
}

/**
 * Of two that hold a path the inner one counts, and of two for the same path the one that hides it. What changes nothing is left out.
 * @param replaced directories with something else in their place
 */
export function layersOf(replaced: readonly string[], hidden: readonly string[], visible: readonly string[]): Layer[] {
  const all = [
    ...hidden.map((path) => ({ path, isHidden: true })),
    ...visible.filter((path) => !hidden.includes(path)).map((path) => ({ path, isHidden: false })),
  ].sort((one, other) => one.path.length - other.path.length);
  const layers: Layer[] = [];
  for (const layer of all) {
    const around = layers.findLast(({ path }) => contains(path, layer.path));
    const isHiddenNow = around?.isHidden ?? replaced.some((path) => contains(path, layer.path));
    if (isHiddenNow !== layer.isHidden) layers.push(layer);
  }
  return layers;
}

/** Files with secrets that this process was told of. */
function secretFiles(): string[] {
  return Object.entries(process.env).flatMap(([name, value]) => (SECRET_FILE.test(name) && value ? [value] : []));
}

function homeDirectory(): string {
  try {
    return userInfo().homedir;
  } catch {
    return process.env.HOME ?? '';
  }
}

/** As the kernel calls them. */
async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const real = path.startsWith('/') ? await realpath(path).catch(() => null) : null;
      // Hiding everything would hide the machine's own programs.
      return real === null || real === '/' || (await stat(real).catch(() => null)) === null ? [] : [real];
    }),
  );
  return [...new Set(found.flat())];
}

function contains(directory: string, path: string): boolean {
  return path === directory || path.startsWith(join(directory, '/'));
}
