// Sabotage of F10: any address is as good as one that is allowed.
import { AddressRules } from '../../../../dist/platform/outgoing/address-rules.js';

AddressRules.prototype.verdict = () => 'listed';
