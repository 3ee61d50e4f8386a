/**
 * What may import what: each folder only those that stand above it. A new chapter is one line.
 * (`npm run lint` holds the project to it, imports of types included.)
 */
const ORDER = [
  'lib/(arguments|errors)',
  'lib/random/',
  'lib/backend/',
  'lib/tensor/',
  'lib/nn/',
  'lib/optim/',
  'lib/data/',
  'lib/io/',
  'lib/index',
  'lib/build',
  'chapters/common/',
  'chapters/datasets/',
  'chapters/appendixA/',
  'chapters/chapter02/',
  'chapters/chapter03/',
  'chapters/chapter04/',
  'chapters/llama/model/',
  'chapters/gemma/model/',
  'chapters/models/',
  'chapters/chapter05/',
  'chapters/chapter06/',
  'chapters/chapter07/',
  'chapters/appendixD/',
  'chapters/appendixE/',
  'chapters/llama/(?!model/)',
  'chapters/gemma/(?!model/)',
  'chapters/package/',
  'chapters/commands/',
];

const oneWay = ORDER.slice(0, -1).map((folder, i) => ({
  name: `${folder.replace(/\/(\(.*)?$/, '')} imports only what stands above it in .dependency-cruiser.mjs`,
  severity: 'error',
  from: { path: `^${folder}` },
  to: { path: `^(${ORDER.slice(i + 1).join('|')})` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...oneWay,
    {
      name: 'every folder has its place in the order',
      severity: 'error',
      from: { path: '^(lib|chapters)/', pathNot: `^(${ORDER.join('|')})` },
      to: {},
    },
    {
      name: 'chapters import lib/index.ts and nothing beneath it',
      severity: 'error',
      from: { path: '^chapters/' },
      to: { path: '^lib/', pathNot: '^lib/index\\.ts$' },
    },
    {
      name: 'in lib, only *.node.ts and what runs in Node alone import node:',
      severity: 'error',
      from: { path: '^lib/', pathNot: '(\\.node\\.ts|(wasm|lib)/build\\.ts|io/files\\.ts)$|gpu/node/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      // Inside lib/tensor there is one, on purpose: the methods of a Tensor are the operations, and operations make Tensors.
      name: 'no circle of files, but for types',
      severity: 'error',
      from: { pathNot: '^lib/tensor/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'what is imported exists',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/wasm/assembly/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json', '.d.ts'],
    },
  },
};
