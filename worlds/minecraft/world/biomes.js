// What grows and lies where: blocks of the ground, trees (a share of all places) by kind, plants of the surface, herds.
const herds = ['cow', 'sheep', 'pig', 'chicken']
const grass = { top: 'grass_block', under: 'dirt', trees: 0, kinds: ['oak'], plants: { grass: 0.08 }, herds }
const sand = { ...grass, top: 'sand', under: 'sand', plants: {}, herds: [] }


module.exports = {
  plains: { ...grass, trees: 0.0015, plants: { grass: 0.25, dandelion: 0.008, poppy: 0.008, cornflower: 0.003, azure_bluet: 0.003 } },
  forest: { ...grass, trees: 0.016, kinds: ['oak', 'oak', 'oak', 'birch'], plants: { grass: 0.08, poppy: 0.006, dandelion: 0.006, lily_of_the_valley: 0.002 } },
  birch_forest: { ...grass, trees: 0.016, kinds: ['birch'], plants: { grass: 0.08, lily_of_the_valley: 0.004 } },
  dark_forest: { ...grass, trees: 0.024, kinds: ['dark_oak', 'dark_oak', 'oak'], plants: { brown_mushroom: 0.006, red_mushroom: 0.004, grass: 0.04 } },
  taiga: { ...grass, trees: 0.016, kinds: ['spruce'], plants: { fern: 0.12, grass: 0.05, sweet_berry_bush: 0.004 }, herds: ['sheep', 'pig', 'chicken'] },
  snowy_taiga: { ...grass, trees: 0.014, kinds: ['spruce'], snow: true, plants: { fern: 0.03 }, herds: ['sheep'] },
  snowy_plains: { ...grass, trees: 0.001, kinds: ['spruce'], snow: true, plants: {}, herds: ['sheep'] },
  snowy_slopes: { ...grass, top: 'snow_block', snow: true, plants: {}, herds: [] },
  windswept_hills: { ...grass, trees: 0.002, kinds: ['spruce', 'oak'], herds: ['sheep'], emeralds: true },
  savanna: { ...grass, trees: 0.003, kinds: ['acacia'], plants: { grass: 0.3 } },
  jungle: { ...grass, trees: 0.024, kinds: ['jungle', 'jungle', 'oak'], plants: { grass: 0.2, melon: 0.0015 }, herds: ['pig', 'chicken'] },
  sparse_jungle: { ...grass, trees: 0.005, kinds: ['jungle'], plants: { grass: 0.2, melon: 0.0015 } },
  swamp: { ...grass, trees: 0.004, plants: { grass: 0.06, blue_orchid: 0.006, brown_mushroom: 0.004 }, herds: ['pig'] },
  desert: { ...sand, deep: 'sandstone', plants: { dead_bush: 0.008, cactus: 0.004 } },
  beach: { ...sand, plants: {} },
  snowy_beach: { ...sand, snow: true },
  river: { ...sand },
  frozen_river: { ...sand, ice: true },
  ocean: { ...sand, top: 'gravel', under: 'gravel' },
  cold_ocean: { ...sand, top: 'gravel', under: 'gravel' }
}
