package mask

import "strings"

// part says which part of a name a mask is.
type part int

const (
	given part = iota
	family
)

// name returns a name of the same script. Case and surrounding spaces are ignored, so that
// equal names have equal masks.
func (m *masker) name(value string, p part) string {
	script, table := scriptOf(value)
	list := names[script][p]
	if len(list) == 0 && table != nil {
		return m.text(value)
	}
	if len(list) == 0 { // no letters
		list = names["Latin"][p]
	}
	folded := strings.ToLower(strings.TrimSpace(value))
	use := [...]string{"given", "family"}[p]
	i := m.choose(use, folded, len(list))
	if strings.ToLower(list[i]) == folded {
		i = (i + 1) % len(list)
	}
	return list[i]
}

// fullName masks the last word as a last name and the first one as a first name. Other words
// are left out. The mask is that of the names themselves if each is one word.
func (m *masker) fullName(value string) string {
	words := strings.Fields(value)
	if len(words) < 2 {
		return m.name(value, family)
	}
	return m.name(words[0], given) + " " + m.name(words[len(words)-1], family)
}

// names lists first and last names by script. They are frequent, so they identify nobody.
var names = map[string][2][]string{
	"Latin": {
		fields("Alex Anna Ben Clara Daniel Elena Emil Eva Felix Gina Hugo Ida Ines Jan Julia Karl Laura Leo Lina Lucas Maria Marta Max Mia Nina Nora Oscar Paul Petra Rosa Sara Simon Sofia Theo Tom Vera Viktor Wanda Yara Zoe"),
		fields("Adams Bauer Becker Bell Blanc Brown Castro Costa Cruz Diaz Fischer Fontana Garcia Green Gruber Hansen Hill Hoffmann Jansen Jones Keller King Kovac Lang Larsen Lopez Martin Meyer Moreau Moreno Nagy Novak Olsen Pereira Petit Reid Rossi Roux Santos Schmidt Silva Smith Stone Torres Vogel Weber White Wolf Wood Young"),
	},
	"Cyrillic": {
		fields("Анна Алексей Борис Вера Виктор Галина Дарья Денис Елена Иван Игорь Ирина Кирилл Лариса Максим Марина Надежда Никита Олег Ольга Павел Роман Светлана Сергей Татьяна Юлия"),
		fields("Андреенко Бондаренко Бойко Гончар Данилюк Зайченко Иваненко Карпенко Коваль Кравчук Лысенко Мельник Мороз Назаренко Петренко Пономаренко Романюк Савчук Сидоренко Ткаченко Шевчук Юрченко"),
	},
	"Greek": {
		fields("Αλέξανδρος Άννα Γιώργος Δήμητρα Ειρήνη Ελένη Κώστας Λεωνίδας Μαρία Νίκος Πέτρος Σοφία Σπύρος Χρήστος"),
		fields("Αγγελόπουλος Αντωνίου Βασιλείου Γεωργίου Δημητρίου Ιωάννου Κωνσταντίνου Νικολάου Παπαδόπουλος Παύλου Πετρίδης Χατζής"),
	},
	"Arabic": {
		fields("أحمد أمل إبراهيم جميل حسن خالد رنا ريم زيد سارة سامي سلمى طارق عادل عمر فاطمة كريم ليلى محمد مريم نادية نور هدى يوسف"),
		fields("الأحمد البغدادي الجابري الحداد الحسن الخطيب الرفاعي الزين السعيد الشامي الصباغ الطيب العلي الفارس القاسم المصري النجار الهاشمي"),
	},
	"Hebrew": {
		fields("אבי אורה אלון גיל דנה דוד יעל יוסי מאיה מיכל נועם רון רחל שרה תמר"),
		fields("אברהם אלון בן־דוד גולן דהן כהן לוי מזרחי פרץ שלום שפירא"),
	},
	"Devanagari": {
		fields("अनिल अमित आशा गीता दीपक नेहा पूजा प्रिया मोहन राज राहुल रीता विजय सीता सुनील"),
		fields("अग्रवाल गुप्ता चौधरी जोशी देसाई पटेल मिश्रा यादव वर्मा शर्मा सिंह"),
	},
	"Bengali": {
		fields("অনিতা অমিত করিম নাসির পলাশ মিতা রহিম রিনা সুমন হাসান"),
		fields("আহমেদ খান চৌধুরী দাস বসু রহমান রায় সরকার হোসেন"),
	},
	"Thai": {
		fields("กมล จันทร์ ชัย นภา ประเสริฐ พร มานะ มาลี วิชัย สมชาย สุดา อรุณ"),
		fields("แก้วใส จันทรา ใจดี ทองดี บุญมี ศรีสุข สุขใจ แสงทอง"),
	},
	"Han": {
		fields("伟 芳 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀英 霞 平 刚 桂英 建国 志强 晓明"),
		fields("王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 林 郭 何 高 罗"),
	},
	"Hiragana": {
		fields("あおい さくら はるか ひなた みさき ゆい ゆうき りく りん けん"),
		fields("さとう すずき たかはし たなか いとう わたなべ やまもと なかむら こばやし かとう"),
	},
	"Katakana": {
		fields("アオイ サクラ ハルカ ヒナタ ミサキ ユイ ユウキ リク リン ケン"),
		fields("サトウ スズキ タカハシ タナカ イトウ ワタナベ ヤマモト ナカムラ コバヤシ カトウ"),
	},
	"Hangul": {
		fields("민준 서연 지훈 하은 도윤 수아 예준 지우 현우 유나 준호 은지"),
		fields("김 이 박 최 정 강 조 윤 장 임 한 오"),
	},
	"Armenian": {
		fields("Անի Արամ Գոռ Լիլիթ Մարիամ Նարե Տիգրան Հայկ"),
		fields("Գրիգորյան Հակոբյան Մարտիրոսյան Պետրոսյան Սարգսյան Վարդանյան"),
	},
	"Georgian": {
		fields("ანა გიორგი დავით ელენე ლევან ლუკა მარიამ ნინო"),
		fields("ბერიძე გელაშვილი კაპანაძე ლომიძე მაისურაძე წიკლაური"),
	},
}

func fields(list string) []string { return strings.Fields(list) }
