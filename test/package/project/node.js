import { train } from './train.js';

const { engine, losses } = await train(5);
console.log(JSON.stringify({ engine, losses }));
