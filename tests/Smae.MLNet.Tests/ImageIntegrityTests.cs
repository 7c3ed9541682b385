using System.Buffers.Binary;

namespace Smae.MLNet.Tests;

[TestClass]
public class ImageIntegrityTests
{
    [TestMethod]
    [DataRow("jpg")]
    [DataRow("png")]
    public void A_whole_file_is_fine_and_every_part_of_it_is_truncated(string extension)
    {
        using var folder = new TempFolder();
        byte[] file = File.ReadAllBytes(TestImages.Write(folder.At("image." + extension), 1));
        Assert.IsNull(ImageIntegrity.Problem(file));
        for (int length = 8; length < file.Length; length++)
            Assert.Contains("truncated", ImageIntegrity.Problem(file.AsSpan(0, length)) ?? "", $"{length} of {file.Length} bytes");
    }

    [TestMethod]
    public void Bytes_after_the_end_of_an_image_do_no_harm()
    {
        using var folder = new TempFolder();
        foreach (string extension in new[] { "jpg", "png" })
        {
            byte[] file = File.ReadAllBytes(TestImages.Write(folder.At("image." + extension), 1));
            Assert.IsNull(ImageIntegrity.Problem([.. file, 1, 2, 3]));
        }
    }

    [TestMethod]
    public void The_end_marker_of_an_embedded_thumbnail_is_not_the_end_of_the_image()
    {
        byte[] thumbnail = [0xFF, 0xD8, 0xFF, 0xD9];
        byte[] start = [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(2 + thumbnail.Length), .. thumbnail, 0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0, 3, 0xFF, 0xD0, 4];
        StringAssert.Contains(ImageIntegrity.Problem(start), "truncated");
        Assert.IsNull(ImageIntegrity.Problem([.. start, 0xFF, 0xD9]));
        Assert.IsNull(ImageIntegrity.Problem([.. start, 0xFF, 0xFF, 0xD9]), "A fill byte may stand before a marker.");
    }

    [TestMethod]
    public void A_segment_of_impossible_length_is_corrupt()
    {
        StringAssert.Contains(ImageIntegrity.Problem([0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0, 0]), "corrupt");
    }

    [TestMethod]
    public void A_bitmap_shorter_than_its_header_says_is_truncated()
    {
        byte[] file = new byte[60];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        Assert.IsNull(ImageIntegrity.Problem(file));
        StringAssert.Contains(ImageIntegrity.Problem(file.AsSpan(0, 59)), "truncated");
    }

    [TestMethod]
    public void An_empty_file_says_so_and_other_content_is_left_to_the_decoder()
    {
        StringAssert.Contains(ImageIntegrity.Problem([]), "empty");
        Assert.IsNull(ImageIntegrity.Problem("GIF89a and more"u8));
    }

    [TestMethod]
    public void Images_of_data_sets_are_whole()
    {
        int count = 0;
        foreach (string path in ((string[])[DataSets.TinyImageNet, DataSets.Cub]).SelectMany(folder => ImageFiles.In(folder, recursive: true)))
        {
            Assert.IsNull(ImageIntegrity.Problem(File.ReadAllBytes(path)), path);
            count++;
        }
        Assert.IsGreaterThan(1000, count);
    }
}
