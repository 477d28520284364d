/** Of the process that records until it is killed. */
export const MESSAGES_AN_EPISODE = 50;
