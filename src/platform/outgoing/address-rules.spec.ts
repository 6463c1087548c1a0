import { AddressRules } from './address-rules.js';
import { endpointProblem } from './endpoint-rules.js';

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '192.1.1.1',
  '198.20.0.1',
  '223.255.255.254',
];
const PUBLIC_V6 = [
  '2606:4700:4700::1111',
  '2a00:1450:4001:82a::200e',
  '2001:4860:4860::8888',
  '2620:fe::fe',
  '[2606:4700::1]',
];

/** Everything that somebody could hope to reach us, our neighbours or nobody by. */
const REFUSED = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.1.2.3'],
  ...['169.254.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.0.192', '192.0.2.1'],
  ...['192.88.99.1', '192.168.0.1', '192.168.255.255', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.254', '255.255.255.255'],
  ...[
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::7f00:1',
  ],
  ...[
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
  ],
  ...['2001:db8::1', '2001:db8:ffff::1', '2002:7f00:1::', '2002:a00:1::', '2002:c0a8:1::1', '3fff::1', '3fff:fff::1'],
  ...[
    '5f00::1',
    'fc00::1',
    'fd00::1',
    'fd00:ec2::254',
    'fdff:ffff::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff00::1',
  ],
  ...['ff02::1', 'ff0e::1', '4000::1', '1000::1', '8000::1', 'e000::1', '[::1]', '[fe80::1]'],
  ...[
    '',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    'a.b.c.d',
    '::g',
    '1.1.1.1/32',
  ],
];

describe('which addresses may be reached', () => {
  const strict = new AddressRules([]);

  it.each([...PUBLIC, ...PUBLIC_V6])('%s is public', (address) => {
    expect(strict.verdict(address)).toBe('public');
  });

  it.each(REFUSED)('%s is refused', (address) => {
    expect(strict.verdict(address)).toBe('refused');
  });

  it('takes what the operator lists, and only that', () => {
    const rules = new AddressRules(['10.20.0.0/16', '::1/128', '127.0.0.0/8']);
    for (const address of ['10.20.0.1', '10.20.255.255', '::1', '127.9.9.9', '::ffff:127.0.0.1'])
      expect([address, rules.verdict(address)]).toEqual([address, 'listed']);
    for (const address of ['10.21.0.1', '::2', '192.168.0.1', 'fe80::1'])
      expect([address, rules.verdict(address)]).toEqual([address, 'refused']);
    expect(rules.verdict('8.8.8.8')).toBe('public');
  });
});

describe('where webhooks may go', () => {
  const policy = { addresses: new AddressRules([]), allowHttp: false };

  it.each([
    ['https://hooks.example.com/a?b=c', undefined],
    ['https://hooks.example.com:8443/', undefined],
    ['https://8.8.8.8/', undefined],
    ['http://hooks.example.com/', undefined], // by its address, when it is known
    ['http://8.8.8.8/', 'http_not_allowed'],
    ['ftp://hooks.example.com/', 'scheme_not_allowed'],
    ['file:///etc/passwd', 'scheme_not_allowed'],
    ['javascript:alert(1)', 'scheme_not_allowed'],
    ['gopher://127.0.0.1:6379/_FLUSHALL', 'scheme_not_allowed'],
    ['https://user:pw@hooks.example.com/', 'credentials_in_url'],
    ['https://user@hooks.example.com/', 'credentials_in_url'],
    ['https://hooks.example.com/#top', 'fragment_in_url'],
    ['https://hooks.example.com:22/', 'port_not_allowed'],
    ['https://hooks.example.com:25/', 'port_not_allowed'],
    ['https://hooks.example.com:5432/', 'port_not_allowed'],
    ['https://hooks.example.com:6379/', 'port_not_allowed'],
    ['https://hooks.example.com:9200/', 'port_not_allowed'],
    ['https://127.0.0.1/', 'address_not_allowed'],
    ['https://127.1/', 'address_not_allowed'],
    ['https://2130706433/', 'address_not_allowed'],
    ['https://0x7f.1/', 'address_not_allowed'],
    ['https://0177.0.0.1/', 'address_not_allowed'],
    ['https://１２７.0.0.1/', 'address_not_allowed'],
    ['https://0/', 'address_not_allowed'],
    ['https://[::1]/', 'address_not_allowed'],
    ['https://[::ffff:127.0.0.1]/', 'address_not_allowed'],
    ['https://[::7f00:1]/', 'address_not_allowed'],
    ['https://[64:ff9b::7f00:1]/', 'address_not_allowed'],
    ['https://169.254.169.254/latest/meta-data/', 'address_not_allowed'],
    ['https:/\\127.0.0.1/', 'address_not_allowed'],
    ['hooks.example.com', 'not_a_url'],
    ['', 'not_a_url'],
    [`https://hooks.example.com/${'a'.repeat(2_100)}`, 'not_a_url'],
  ])('%s', (url, problem) => {
    expect(endpointProblem(url, policy)).toBe(problem);
  });

  it('takes plain http to listed networks, and to anywhere if the operator says so', () => {
    const listed = { addresses: new AddressRules(['127.0.0.0/8']), allowHttp: false };
    expect(endpointProblem('http://127.0.0.1:8080/', listed)).toBeUndefined();
    expect(endpointProblem('http://8.8.8.8/', { ...policy, allowHttp: true })).toBeUndefined();
    expect(endpointProblem('http://10.0.0.1/', { ...policy, allowHttp: true })).toBe('address_not_allowed');
  });
});
