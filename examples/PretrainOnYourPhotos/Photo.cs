namespace PretrainOnYourPhotos;

/// <summary>A photo to pretrain on. <c>LoadImageFolder</c> would take folders for classes and leave out photos that lie beside them.</summary>
internal sealed class Photo
{
    private static readonly string[] s_extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif"];

    public string ImagePath { get; set; } = "";

    /// <summary>All photos of a folder and the folders in it, in the order of their paths: a resumed run needs the same order again.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static IReadOnlyList<Photo> In(DirectoryInfo folder)
    {
        Photo[] photos =
        [
            .. folder.EnumerateFiles("*", SearchOption.AllDirectories)
                .Where(f => s_extensions.Contains(f.Extension, StringComparer.OrdinalIgnoreCase))
                .Select(f => new Photo { ImagePath = f.FullName }).OrderBy(p => p.ImagePath, StringComparer.Ordinal),
        ];
        return photos.Length > 0
            ? photos
            : throw new InvalidDataException($"There is no photo in '{folder}': looked for files that end in {string.Join(", ", s_extensions)}.");
    }
}
