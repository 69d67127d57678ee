// The one version of the protocol that this world speaks: the last for which minecraft-data 3.119.0 has recipes, drops
// and loot that agree with each other, and which flying-squid 1.12.0 serves.
module.exports = '1.19.2'
