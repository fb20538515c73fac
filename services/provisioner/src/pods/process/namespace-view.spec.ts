import { layersOf } from './namespace-view';

describe('what a pod in namespaces sees', () => {
  const hidden = (path: string) => ({ path, isHidden: true });
  const shown = (path: string) => ({ path, isHidden: false });

  it.each([
    ['what is not hidden needs no showing', [], ['/srv/pods'], ['/usr'], [hidden('/srv/pods')]],
    ['what is in something hidden needs no hiding', [], ['/home/me', '/home/me/.reprise'], [], [hidden('/home/me')]],
    ['a name that only begins alike is another one', [], ['/srv/pods'], ['/srv/pods-2/x'], [hidden('/srv/pods')]],
    [
      'of nested ones the inner one counts',
      [],
      ['/home/me', '/home/me/a/b'],
      ['/home/me/a'],
      [hidden('/home/me'), shown('/home/me/a'), hidden('/home/me/a/b')],
    ],
    ['what is both is hidden', [], ['/home/me', '/home/me/a'], ['/home/me/a'], [hidden('/home/me')]],
    ['what is in a directory that is replaced is hidden by that', ['/tmp'], ['/tmp/state'], ['/tmp/agent.js'], [shown('/tmp/agent.js')]],
  ])('%s', (_what, replaced, hide, show, layers) => {
    expect(layersOf(replaced, hide, show)).toEqual(layers);
  });
});
