/* PNG by libpng. */
#include "images.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t position;
    int truncated;
} reader;

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
} writer;

static void on_error(png_structp png, png_const_charp message) {
    (void)message;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t count) {
    reader *from = png_get_io_ptr(png);
    if (count > from->size - from->position) {
        from->truncated = 1;
        png_error(png, "truncated");
    }
    memcpy(to, from->data + from->position, count);
    from->position += count;
}

static int has_transparency(png_structp png, png_infop info) {
    return (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
}

int png_header(const uint8_t *data, size_t size, smae_image_header *header) {
    reader from = {data, size, 0, 0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL || setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return 0;
    }
    png_set_read_fn(png, &from, on_read);
    png_read_info(png, info);
    header->width = (int32_t)png_get_image_width(png, info);
    header->height = (int32_t)png_get_image_height(png, info);
    header->opaque = !has_transparency(png, info);
    png_destroy_read_struct(&png, &info, NULL);
    return 1;
}

static void premultiply(uint8_t *pixels, const smae_image_header *header) {
    size_t count = (size_t)header->width * (size_t)header->height;
    for (size_t i = 0; i < count; i++, pixels += 4) {
        unsigned alpha = pixels[3];
        for (int c = 0; c < 3; c++)
            pixels[c] = multiply_255(pixels[c], alpha);
    }
}

int png_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels) {
    reader from = {data, size, 0, 0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL || setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        if (from.truncated && !header->opaque)
            premultiply(pixels, header);
        return from.truncated; /* what came before the end counts; bytes that are wrong do not */
    }
    png_set_read_fn(png, &from, on_read);
    png_set_compression_buffer_size(png, 256); /* read in small pieces: of a truncated file less is lost */
    png_read_info(png, info);
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_filler(png, 0xff, PNG_FILLER_AFTER);
    png_set_bgr(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (size_t)header->width * 4)
        png_error(png, "not the file of the header");
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < header->height; y++)
            png_read_row(png, pixels + (size_t)y * (size_t)header->width * 4, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    if (!header->opaque)
        premultiply(pixels, header);
    return 1;
}

static void on_write(png_structp png, png_bytep bytes, size_t count) {
    writer *to = png_get_io_ptr(png);
    if (to->size + count > to->capacity) {
        size_t capacity = (to->size + count) * 2;
        uint8_t *grown = realloc(to->data, capacity);
        if (grown == NULL)
            png_error(png, "no memory");
        to->data = grown;
        to->capacity = capacity;
    }
    memcpy(to->data + to->size, bytes, count);
    to->size += count;
}

static void on_flush(png_structp png) {
    (void)png;
}

static void unpremultiply(png_structp png, png_row_infop row_info, png_bytep row) {
    (void)png;
    for (png_uint_32 x = 0; x < row_info->width; x++, row += 4) {
        unsigned alpha = row[3];
        for (int c = 0; c < 3 && alpha != 0 && alpha != 255; c++) {
            unsigned value = (row[c] * 255u + alpha / 2) / alpha;
            row[c] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
}

uint8_t *smae_image_encode_png(const uint8_t *pixels, int bgra, int opaque, int width, int height, size_t *size) {
    writer to = {NULL, 0, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        free(to.data);
        return NULL;
    }
    png_set_write_fn(png, &to, on_write, on_flush);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGBA,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (opaque)
        png_set_filler(png, 0, PNG_FILLER_AFTER); /* drops the fourth byte */
    else
        png_set_write_user_transform_fn(png, unpremultiply);
    if (bgra)
        png_set_bgr(png);
    for (int y = 0; y < height; y++)
        png_write_row(png, pixels + (size_t)y * (size_t)width * 4);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    *size = to.size;
    return to.data;
}
