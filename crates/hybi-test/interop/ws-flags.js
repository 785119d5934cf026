// What ws-server.js and ws-client.js share: the command line, and the options of permessage-deflate.
'use strict';

// The words of the command line, and a function from the name of a flag to its value (undefined: not given).
exports.flags = (known) => {
  const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const values = new Map();
  for (const word of process.argv.slice(2).filter((w) => w.startsWith('--'))) {
    const [name, ...value] = word.slice(2).split('=');
    if (!known.includes(name)) {
      console.error(`unknown flag --${name}`);
      process.exit(2);
    }
    values.set(name, value.join('=') || true);
  }
  return { words, flag: (name) => values.get(name) };
};

// Every message is compressed, however short: ws by itself leaves those below 1 KiB alone.
exports.deflateOptions = (flag) => {
  const choice = flag('deflate') || 'on';
  if (choice !== 'on' && choice !== 'off') {
    console.error('--deflate is on or off');
    process.exit(2);
  }
  if (choice === 'off') return false;
  const options = { threshold: 0 };
  if (flag('no-context-takeover')) {
    options.serverNoContextTakeover = true;
    options.clientNoContextTakeover = true;
  }
  if (flag('window-bits')) {
    options.serverMaxWindowBits = Number(flag('window-bits'));
    options.clientMaxWindowBits = Number(flag('window-bits'));
  }
  return options;
};

exports.version = () => {
  console.log(`ws ${require('ws/package.json').version}`);
  process.exit(0);
};
