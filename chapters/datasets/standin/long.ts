/**
 * Three long messages. The stand-in's longest message in each part is, like the real collection's, 109 (train),
 * 137 (validation) and 120 (test) GPT-2 tokens under seed 42, so that every shape a chapter prints is the same.
 */

/** Each is put where, under seed 42, the split takes it into the part named: `row` counts the ham rows. */
export const LONG_MESSAGES: readonly { part: string; row: number; text: string }[] = [
  {
    part: 'train',
    row: 1807,
    text:
      'Hi Ruth, its Helen from choir. I wanted to say how very sorry we all were to hear about your dad, he was such a lovely ' +
      'man and he always had a kind word for everybody who walked into that cafe. Please dont worry about the concert or ' +
      'the cakes or any of it, Naomi and I will sort everything out between us. If you need somebody to have the girls, or ' +
      'just want company and a cup of tea, ring me at any hour, I am hardly sleeping most days anyway. Thinking of you all. Helen xx',
  },
  {
    part: 'validation',
    row: 2098,
    text:
      'Ok so here is the plan for Saturday and please read all of it this time Josh! Coach leaves the car park behind the ' +
      'library at quarter to 7, not 7, the driver says he will not wait for anybody. Bring your own lunch because last year ' +
      'the cafe shut before half of us got anything to eat. We get to the sea about ten, then its free time until two when ' +
      'we meet by the pier for the walk. If it rains we do the museum instead. Tea in the big chip shop at five, I have ' +
      'already paid the deposit so you owe me six pounds each. Back in town by nine, so tell your mums. Any questions ask Priya.',
  },
  {
    part: 'test',
    row: 2924,
    text:
      'You will not believe the day I have had. First the boiler went again so no hot water, then the train sat outside ' +
      'Reading for fifty minutes with no heating and a man next to me eating a whole roast chicken. Got to work, the meeting ' +
      'had been moved to Thursday and nobody thought of telling me. Then at lunch I dropped my phone in the sink, which is ' +
      'why you did not hear from me till now. And to top it all the cat has had her kittens, in my suitcase, on my only clean ' +
      'shirts. There are four. Do you want one? Please say yes.',
  },
];
