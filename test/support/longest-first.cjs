const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * End-to-end tests first: each of their files takes longer than most others, and what is begun last keeps all but one worker waiting. The order
 * beyond that is jest's own, which knows nothing of durations in a fresh clone.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ context }) => (context.config.displayName?.name === 'e2e' ? 0 : 1);
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
