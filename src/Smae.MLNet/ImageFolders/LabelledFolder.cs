namespace Smae.MLNet;

/// <summary>A folder of images of one split: class folders, Tiny ImageNet's validation images with their list, or images alone.</summary>
internal static class LabelledFolder
{
    private const string Annotations = "val_annotations.txt";

    /// <summary>What Tiny ImageNet calls the folder that holds the images beside lists; it is not a class.</summary>
    private const string Images = "images";

    /// <summary>Whether <paramref name="folder"/> holds Tiny ImageNet's validation images.</summary>
    public static bool IsAnnotated(string folder) => File.Exists(Path.Combine(folder, Annotations));

    /// <summary>The images of <paramref name="folder"/>; their labels are empty where nothing tells them.</summary>
    public static IEnumerable<ImageFolderRow> Read(string folder)
    {
        if (IsAnnotated(folder))
            return ReadAnnotated(folder);

        string[] classes = ImageFiles.FoldersIn(folder);
        bool unlabelled = classes is [var only] && Path.GetFileName(only) == Images;
        var labelled = classes.SelectMany(@class => ImageFiles.In(@class, recursive: true).Select(path => new ImageFolderRow
        {
            ImagePath = path,
            Label = unlabelled ? "" : Path.GetFileName(@class),
        })).ToList();
        return labelled.Count > 0
            ? labelled
            : ImageFiles.In(folder, recursive: false).Select(path => new ImageFolderRow { ImagePath = path });
    }

    private static IEnumerable<ImageFolderRow> ReadAnnotated(string folder) =>
        AnnotationFile.Read(Path.Combine(folder, Annotations), '\t', fields: 2, "'<file name>', a tab and '<class>'")
            .Select(fields => new ImageFolderRow
            {
                ImagePath = Path.Combine(folder, Images, fields[0]),
                Label = fields[1],
            });
}
