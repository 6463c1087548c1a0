// Which of the packages for building and testing are here.
import { existsSync, readFileSync } from 'node:fs';

const { devDependencies } = JSON.parse(readFileSync('/app/package.json', 'utf8'));
console.log(JSON.stringify(Object.keys(devDependencies).filter((name) => existsSync(`/app/node_modules/${name}`))));
