import { render } from 'preact';
import { App } from './app.js';
import { connect, emergencyStop } from './connection.js';
import './style.css';

// Before anything else can take the key: the space bar stops the robot, wherever the focus is.
addEventListener(
  'keydown',
  (event) => {
    if (event.code !== 'Space') return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) emergencyStop();
  },
  { capture: true },
);

render(<App />, document.body);
connect();
