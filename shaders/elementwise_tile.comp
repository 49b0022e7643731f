// elementwise_tile.comp - turns tiles: words read along y become words along x.
// One tile is SIDE x SIDE elements; an invocation reads WIDTH of them along y at turned_place and
// gets WIDTH along x at place. A row of the tile is padded by one word: neither direction then
// meets a bank twice.
#define PITCH (SIDE + 1)

shared uint vkt_tile[SIDE * PITCH];

#define VKT_PUT_TILE(w)                                                      \
    if (turned_last >= 0) {                                                  \
        [[unroll]] for (int k = 0; k < WIDTH; k++)                           \
            vkt_tile[(turned_place.y + k) * PITCH + turned_place.x] = w[k];  \
    }

#define VKT_GET_TILE(w)                                                      \
    [[unroll]] for (int k = 0; k < WIDTH; k++)                               \
        w[k] = vkt_tile[place.y * PITCH + place.x + k];

// Words of 64 bits go in halves: they would meet banks twice, and few kernels have them.
#define VKT_PUT_TILE_WIDE(w)                                                 \
    uint high[WIDTH], low[WIDTH];                                            \
    [[unroll]] for (int k = 0; k < WIDTH; k++) {                             \
        low[k] = unpackUint2x32(w[k]).x;                                     \
        high[k] = unpackUint2x32(w[k]).y;                                    \
    }                                                                        \
    VKT_PUT_TILE(low)                                                        \
    barrier();                                                               \
    VKT_GET_TILE(low)                                                        \
    barrier();                                                               \
    VKT_PUT_TILE(high)

#define VKT_GET_TILE_WIDE(w)                                                 \
    VKT_GET_TILE(high)                                                       \
    [[unroll]] for (int k = 0; k < WIDTH; k++)                               \
        w[k] = packUint2x32(uvec2(low[k], high[k]));

