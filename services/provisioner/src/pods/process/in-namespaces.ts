import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NamespaceView } from './namespace-view';

/** File systems without files of the user: nothing of them needs to be closed, and some cannot be. */
const LEFT_ALONE =
  'proc|sysfs|devpts|devtmpfs|securityfs|debugfs|tracefs|bpf|pstore|configfs|fusectl|autofs|binfmt_misc|efivarfs|cgroup|squashfs';

const NO_CAPABILITIES = ['--no-new-privs', '--ambient-caps=-all', '--inh-caps=-all', '--bounding-set=-all'];

/**
 * How to run a command in user, process, mount and IPC namespaces of its own, as the same user, without capabilities, and with this view of the files.
 *
 * The outer process (`unshare`) and the first one inside (`sh`, which looks after orphans) live as long as the command; with the first one the kernel ends all
 * that is in the namespaces. Only the command itself has the variables of `env`.
 *
 * @param stage a directory for the driver's use, made here
 */
export async function inNamespaces(
  view: NamespaceView,
  stage: string,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<[string, ...string[]]> {
  await prepare(stage, seenOf(view));
  const namespaces = ['--user', '--map-current-user', '--keep-caps', '--pid', '--ipc', '--mount', '--mount-proc'];
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = ['sh', 'env', ...assignments, ...command];
  return ['unshare', ...namespaces, '--fork', '--kill-child', '/bin/sh', '-c', scriptOf(view, stage), ...words];
}

/** All that is seen although what holds it is covered; the numbers of these paths are their names aside. */
function seenOf({ temporary, layers, own }: NamespaceView): string[] {
  const visible = layers.filter(({ isHidden }) => !isHidden).map(({ path }) => path);
  return [...new Set([...temporary.map(({ from }) => from), ...visible, ...own])];
}

async function prepare(stage: string, seen: readonly string[]): Promise<void> {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { mode: 0o700 });
  for (const [n, path] of seen.entries()) {
    if ((await stat(path)).isDirectory()) await mkdir(join(stage, String(n)));
    else await writeFile(join(stage, String(n)), '');
  }
}

/**
 * What is seen is first bound aside, in the directory `stage`, which is reached by its descriptor once it is hidden itself. A process without
 * capabilities cannot take these mounts away again, nor can one that makes namespaces of its own: the kernel locks them together.
 */
function scriptOf(view: NamespaceView, stage: string): string {
  const { temporary, inMemory, layers, own } = view;
  const aside = seenOf(view);
  const show = (from: string, at: string): string[] => {
    const source = `/proc/self/fd/3/${aside.indexOf(from)}`;
    return [makeUnlessThere(source, at), `mount --no-canonicalize --rbind ${source} ${quoted(at)}`];
  };
  return [
    'set -efu',
    ...aside.map((from, n) => `mount --rbind ${quoted(from)} ${quoted(join(stage, String(n)))}`),
    `exec 3<${quoted(stage)}`,
    ...temporary.flatMap(({ from, at }) => show(from, at)),
    ...inMemory.map((path) => `mount -t tmpfs -o mode=1777 reprise ${quoted(path)}`),
    ...layers.flatMap(({ path, isHidden }) => (isHidden ? hide(path, aside) : show(path, path))),
    ...own.flatMap((path) => show(path, path)),
    'exec 3<&-',
    ...closeAllBut(view),
    'cd /',
    `exec setpriv ${NO_CAPABILITIES.join(' ')} /bin/sh -c 'setsid "$@" & wait $!' sh "$@"`,
  ].join('\n');
}

function makeUnlessThere(like: string, path: string): string {
  const [at, parent] = [quoted(path), quoted(dirname(path))];
  return `[ -e ${at} ] || if [ -d ${like} ]; then mkdir -p ${at}; else mkdir -p ${parent}; : > ${at}; fi`;
}

/** @param seen what is seen all the same, perhaps in there: then it is made read-only only after that was put in */
function hide(path: string, seen: readonly string[]): string[] {
  const at = quoted(path);
  const options = seen.some((it) => it.startsWith(`${path}/`)) ? '' : ',ro';
  return [`if [ -d ${at} ]; then mount -t tmpfs -o mode=0711,size=1m${options} reprise ${at}; else mount --bind /dev/null ${at}; fi`];
}

/** Every mount but those that are the pod's own is made read-only. What is covered by another one is out of reach, and left as it is. */
function closeAllBut({ temporary, inMemory, layers, own }: NamespaceView): string[] {
  const leave = (paths: readonly string[]): string =>
    `    ${paths.map((path) => `${quoted(path)}|${quoted(path)}/*`).join('|')}) continue ;;`;
  return [
    'lines=$(cat /proc/self/mountinfo)',
    `printf '%s\\n' "$lines" | ( while read -r line; do`,
    '  set -- $line',
    `  at=$(printf '%b' "$5") options=$6`,
    '  case "$at" in',
    leave(own),
    // The inner ones first: of them, the first that matches counts.
    ...[...layers]
      .reverse()
      .map(({ path, isHidden }) => (isHidden ? `    ${quoted(path)}/*) continue ;;` : `    ${quoted(path)}|${quoted(path)}/*) ;;`)),
    ...([...temporary, ...inMemory].length === 0 ? [] : [leave([...temporary.map(({ at }) => at), ...inMemory])]),
    '  esac',
    '  case ",$options," in *,ro,*) continue ;; esac',
    '  shift 6',
    '  while [ "$1" != - ]; do shift; done',
    `  case "$2" in ${LEFT_ALONE}) continue ;; esac`,
    // Behind a directory that is closed to this user, such as a container's files: closed to its tasks as well, and to this mount.
    '  [ -e "$at" ] || continue',
    '  mount -o "remount,bind,ro,${options#rw,}" "$at"',
    'done )',
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
